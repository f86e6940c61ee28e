namespace Qubes.Protocol.Devices;

/// <summary>How an assignment makes a device come to a qube, in the words of protocol and store.</summary>
public static class AssignmentModes
{
    /// <summary>Not by itself: the mode of an attachment that a person made.</summary>
    public const string Manual = "manual";

    /// <summary>Whenever both are there, after a question.</summary>
    public const string AskToAttach = "ask-to-attach";

    /// <summary>Whenever both are there.</summary>
    public const string AutoAttach = "auto-attach";

    /// <summary>The qube does not start without it.</summary>
    public const string Required = "required";

    /// <summary>Those an assignment may have.</summary>
    public static bool IsAutomatic(string mode) => mode is AskToAttach or AutoAttach or Required;

    public static bool IsKnown(string mode) => mode == Manual || IsAutomatic(mode);
}
