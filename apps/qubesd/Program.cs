using Qubesd;

return await QubesdProgram.RunAsync(args);
