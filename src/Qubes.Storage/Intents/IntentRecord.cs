using System.Text;

namespace Qubes.Storage;

/// <summary>
/// What stands in an intent's file. Before the decision it lists what to throw away; once <see cref="IsDecided"/>, the steps to carry through.
/// </summary>
/// <remarks>
/// <c>{"version":1,"operation":"commit","volume":"appvms/work/private","decided":true,
/// "discard":["PATH",…],"steps":[["rename","FROM","TO"],["remove","PATH"],…]}</c>
/// </remarks>
internal sealed record IntentRecord(
    string Operation, string Volume, bool IsDecided, IReadOnlyList<string> Discard, IReadOnlyList<IntentStep> Steps)
{
    public const int MaxLength = 1 << 20;

    public byte[] Write() => RecordFrame.Write(writer =>
    {
        writer.WriteString("operation", Operation);
        writer.WriteString("volume", Volume);
        writer.WriteBoolean("decided", IsDecided);
        writer.WriteStartArray("discard");
        foreach (string path in Discard)
        {
            writer.WriteStringValue(path);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("steps");
        foreach (IntentStep step in Steps)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(NameOf(step.Action));
            writer.WriteStringValue(step.Path);
            writer.WriteStringValue(step.Target);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
    });

    /// <exception cref="FormatException">Not a record of this version.</exception>
    public static IntentRecord Parse(ReadOnlyMemory<byte> untrustedContent) => RecordFrame.Parse(untrustedContent, static root => new IntentRecord(
        RecordFrame.Text(root.GetProperty("operation")),
        RecordFrame.Text(root.GetProperty("volume")),
        root.GetProperty("decided").GetBoolean(),
        [.. root.GetProperty("discard").EnumerateArray().Select(RecordFrame.Text)],
        [.. root.GetProperty("steps").EnumerateArray().Select(step => new IntentStep(
            ActionOf(RecordFrame.Text(step[0])), RecordFrame.Text(step[1]), RecordFrame.Text(step[2])))]));

    public override string ToString() => new StringBuilder(Operation).Append(' ').Append(Volume).ToString();

    private static string NameOf(IntentAction action) => action switch
    {
        IntentAction.Link => "link",
        IntentAction.Rename => "rename",
        IntentAction.Remove => "remove",
        IntentAction.RemoveDirectory => "rmdir",
        _ => "rebase",
    };

    private static IntentAction ActionOf(string name) => name switch
    {
        "link" => IntentAction.Link,
        "rename" => IntentAction.Rename,
        "remove" => IntentAction.Remove,
        "rmdir" => IntentAction.RemoveDirectory,
        "rebase" => IntentAction.Rebase,
        _ => throw new FormatException("The intent has an unknown step."),
    };
}
