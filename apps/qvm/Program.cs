using Qvm;

return await ToolRunner.RunAsync(Environment.GetCommandLineArgs()[0], args);
