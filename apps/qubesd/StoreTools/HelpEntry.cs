namespace Qubesd.StoreTools;

/// <summary>A command, option, status or variable and what there is to say of it.</summary>
internal sealed record HelpEntry(string Name, string Text);
