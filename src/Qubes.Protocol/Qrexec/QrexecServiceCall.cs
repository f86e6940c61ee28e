namespace Qubes.Protocol.Qrexec;

/// <summary>What follows <c>QUBESRPC </c> in a command. Texts are byte strings, see <see cref="QrexecCommand"/>.</summary>
public sealed class QrexecServiceCall
{
    private QrexecServiceCall(string descriptorLine, string descriptor, string source)
    {
        DescriptorLine = descriptorLine;
        Descriptor = descriptor;
        Source = source;
        int plus = descriptor.IndexOf('+', StringComparison.Ordinal);
        ServiceName = plus < 0 ? descriptor : descriptor[..plus];
        Argument = plus < 0 ? null : descriptor[(plus + 1)..];
    }

    /// <summary>Everything after <c>QUBESRPC </c>, unchanged: what a socket service is sent, with a NUL.</summary>
    public string DescriptorLine { get; }

    /// <summary><c>service[+argument]</c> as received.</summary>
    public string Descriptor { get; }

    /// <summary>The service without argument: a file name.</summary>
    public string ServiceName { get; }

    /// <summary>The argument: null when there is no <c>+</c>, which is not the same as empty.</summary>
    public string? Argument { get; }

    /// <summary>The name looked up first: the descriptor, with <c>+</c> appended if it had none.</summary>
    public string FullName => Argument is null ? Descriptor + "+" : Descriptor;

    /// <summary>The calling qube.</summary>
    public string Source { get; }

    /// <summary>
    /// Splits off type and target for an executable service, which demands exactly two or four words.
    /// False: the call ends with status 125. Both results are null when there are two words.
    /// </summary>
    public bool TryGetTarget(out string? type, out string? target)
    {
        string[] words = DescriptorLine.Split(' ');
        type = words.Length == 4 ? words[2] : null;
        target = words.Length == 4 ? words[3] : null;
        return words.Length is 2 or 4;
    }

    internal static QrexecServiceCall? Parse(string line)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space is < 1 or > QrexecLimits.ServiceDescriptor)
        {
            return null;
        }

        int sourceEnd = line.IndexOf(' ', space + 1);
        string source = sourceEnd < 0 ? line[(space + 1)..] : line[(space + 1)..sourceEnd];
        QrexecServiceCall call = new(line, line[..space], source);
        return source.Length == 0 || call.ServiceName.Length is < 1 or > QrexecLimits.ServiceName || call.ServiceName.Contains('/', StringComparison.Ordinal)
            ? null
            : call;
    }
}
