namespace Qubes.Storage;

/// <summary>What one step of an intent does. Each can be done again after it was done.</summary>
internal enum IntentAction
{
    /// <summary>Give the file a second name, unless that name is taken.</summary>
    Link,

    /// <summary>Rename over whatever has the new name; already done when the old name is missing.</summary>
    Rename,

    /// <summary>Remove a file if it is there.</summary>
    Remove,

    /// <summary>Remove a directory if it is there and empty.</summary>
    RemoveDirectory,

    /// <summary>Let a qcow2 image's header name another backing file. The second path is <c>FORMAT:NAME</c>.</summary>
    Rebase,
}

/// <summary>One step of an intent.</summary>
/// <param name="Path">Relative to the pool's directory.</param>
/// <param name="Target">The second path, where the action has one.</param>
internal sealed record IntentStep(IntentAction Action, string Path, string Target = "")
{
    public static IntentStep Link(string existing, string newName) => new(IntentAction.Link, existing, newName);

    public static IntentStep Rename(string from, string to) => new(IntentAction.Rename, from, to);

    public static IntentStep Remove(string path) => new(IntentAction.Remove, path);

    public static IntentStep RemoveDirectory(string path) => new(IntentAction.RemoveDirectory, path);

    public static IntentStep Rebase(string image, DiskFormat format, string backingName) =>
        new(IntentAction.Rebase, image, (format == DiskFormat.Raw ? "raw:" : "qcow2:") + backingName);
}
