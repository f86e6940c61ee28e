using System.Text.Json;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>A root with programs as extensions, as an administrator would put them there.</summary>
internal static class ExtensionRoot
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode ProgramMode = FileMode | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Adds the test program with a way to behave.</summary>
    public static void AddMisbehaving(this ScratchRoot root, string name, string mode, params string[] lines) =>
        root.AddExtension(name, Copy(root, "misbehaving.py"), [$"argument = {mode}", .. lines]);

    /// <summary>Adds the test program with a script, see misbehaving.py.</summary>
    public static void AddScripted(this ScratchRoot root, string name, object script, params string[] lines) =>
        root.AddMisbehaving(name, "scripted", [$"argument = {JsonSerializer.Serialize(script)}", .. lines]);

    public static void AddExtension(this ScratchRoot root, string name, string program, params string[] lines)
    {
        Directory.CreateDirectory(root.Paths.ExtensionsDirectory);
        File.SetUnixFileMode(root.Paths.ExtensionsDirectory, ProgramMode);
        Write(Path.Combine(root.Paths.ExtensionsDirectory, name + ".conf"), string.Join('\n', [$"program = {program}", .. lines]), FileMode);
    }

    /// <summary>A file of the test as a program that nobody else can change.</summary>
    public static string Copy(ScratchRoot root, string file)
    {
        string path = Path.Combine(root.Path, file);
        Write(path, File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Extensions", file)), ProgramMode);
        return path;
    }

    private static void Write(string path, string content, UnixFileMode mode)
    {
        using (StreamWriter writer = new(path))
        {
            writer.Write(content);
        }

        File.SetUnixFileMode(path, mode);
    }
}
