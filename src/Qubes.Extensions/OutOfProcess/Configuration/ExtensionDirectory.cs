using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model.Classes;

namespace Qubes.Extensions.OutOfProcess.Configuration;

/// <summary>
/// Reads <c>extensions.d</c>. What is named there runs with the daemon's rights, so files, programs and the directory itself must
/// belong to root or to the daemon's user and be writable by nobody else.
/// </summary>
public sealed class ExtensionDirectory(string path, ILogger log)
{
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const int MaxExtensions = 64;

    /// <summary>The usable ones, by name. Every other file is reported and left out; a missing directory is empty.</summary>
    public IReadOnlyList<ExtensionDefinition> Load()
    {
        List<ExtensionDefinition> definitions = [];
        try
        {
            if (FileStatus.Find(path) is null)
            {
                return definitions;
            }

            if (FileStatus.FindStrictly(path, followLink: true) is not { IsDirectory: true } directory || Objection(directory) is not null)
            {
                log.LogError("{Path} must be a directory that only root can write to: no extension is started", LogText.Escape(path));
                return definitions;
            }

            foreach (string file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
            {
                Take(file, definitions);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
        {
            log.LogError(e, "{Path} cannot be read", LogText.Escape(path));
        }

        return definitions;
    }

    private void Take(string file, List<ExtensionDefinition> definitions)
    {
        string fileName = Path.GetFileName(file);
        if (fileName[0] == '.')
        {
            return;
        }

        try
        {
            if (!fileName.EndsWith(ExtensionFile.Suffix, StringComparison.Ordinal))
            {
                throw new ExtensionFormatException($"the name does not end in {ExtensionFile.Suffix}");
            }

            if (definitions.Count == MaxExtensions)
            {
                throw new ExtensionFormatException($"there are more than {MaxExtensions} extensions");
            }

            ExtensionDefinition definition = ReadClasses(ExtensionFile.Parse(fileName[..^ExtensionFile.Suffix.Length], Read(file)), definitions);
            try
            {
                CheckProgram(definition.Program);
            }
            catch (ExtensionFormatException e) when (definition.Classes.Count > 0)
            {
                // What its qubes are is known without it.
                log.LogError("{File}: its qubes are kept, and it is not started: {Reason}", LogText.Escape(file), LogText.Escape(e.Message));
                definition = definition with { IsEnabled = false };
            }

            definitions.Add(definition);
        }
        catch (Exception e) when (e is ExtensionFormatException or IOException or UnauthorizedAccessException or LinuxException)
        {
            log.LogError("{File} is not used: {Reason}", LogText.Escape(file), LogText.Escape(e.Message));
        }
    }

    private static ExtensionDefinition ReadClasses(ExtensionDefinition definition, List<ExtensionDefinition> others)
    {
        if (definition.ClassFile is not { } file)
        {
            return definition;
        }

        IReadOnlyList<QubeClass> classes;
        try
        {
            classes = QubeClassFile.Parse(Read(file));
        }
        catch (ExtensionFormatException e)
        {
            throw new ExtensionFormatException($"{file}: {e.Message}");
        }

        foreach (QubeClass qubeClass in classes)
        {
            if (others.FirstOrDefault(o => o.Classes.Any(c => c.Name == qubeClass.Name)) is { } owner)
            {
                throw new ExtensionFormatException($"{file}: class {qubeClass.Name} is brought by extension '{owner.Name}'");
            }
        }

        return definition with { Classes = classes };
    }

    private static byte[] Read(string file)
    {
        FileStatus status = FileStatus.Find(file) ?? throw new ExtensionFormatException("it is gone");
        if (!status.IsRegularFile)
        {
            throw new ExtensionFormatException("not a regular file");
        }

        if (Objection(status) is { } objection)
        {
            throw new ExtensionFormatException(objection);
        }

        return status.Size <= ExtensionFile.MaxBytes
            ? File.ReadAllBytes(file) : throw new ExtensionFormatException($"longer than {ExtensionFile.MaxBytes} bytes");
    }

    private static void CheckProgram(string program)
    {
        if (FileStatus.FindStrictly(program, followLink: true) is not { IsRegularFile: true } status)
        {
            throw new ExtensionFormatException($"{program} is not there, or is no file");
        }

        if (Objection(status) is { } objection)
        {
            throw new ExtensionFormatException($"{program}: {objection}");
        }

        if (!FileStatus.IsExecutable(program))
        {
            throw new ExtensionFormatException($"{program} cannot be executed");
        }
    }

    private static string? Objection(FileStatus status) =>
        status.UserId != 0 && status.UserId != UserAccount.CurrentUserId ? "its owner is neither root nor the daemon's user"
        : (status.Permissions & WritableByOthers) != UnixFileMode.None ? "others than its owner can write to it"
        : null;
}
