using System.Collections.Immutable;
using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>Everything the caller may see, at one moment. Immutable.</summary>
public sealed record SystemState
{
    /// <summary>The revision of the store it belongs to: what a change document and the history are about.</summary>
    public required long Revision { get; init; }

    /// <summary>Where in the sequence of states it stands, for <c>admin.state.Follow</c>. Not to be interpreted.</summary>
    public required string Position { get; init; }

    /// <summary>Null if the caller may not see it.</summary>
    public required GlobalState? System { get; init; }

    /// <summary>By name.</summary>
    public required ImmutableSortedDictionary<string, QubeState> Qubes { get; init; }

    // Several qubes, whose text is some thousand bytes each.
    private const int FirstBuffer = 128 * 1024;

    /// <summary>Reads the content of the reply of <c>admin.state.Get</c>.</summary>
    /// <exception cref="Protocol.Errors.QubesException">It has another form.</exception>
    public static SystemState Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            StateParser parser = new();
            parser.Take(json.Span, isLast: true);
            return parser.Finish();
        }
        catch (Exception e) when (IsOtherForm(e))
        {
            throw NotUnderstood(e);
        }
    }

    /// <summary>Reads it as it comes, to the end of <paramref name="json"/>.</summary>
    /// <exception cref="Protocol.Errors.QubesException">It has another form.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static async ValueTask<SystemState> ReadAsync(Stream json, CancellationToken cancellation = default)
    {
        StateParser parser = new();
        byte[] buffer = GC.AllocateUninitializedArray<byte>(FirstBuffer);
        int length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * length);
            }

            int read = await json.ReadAsync(buffer.AsMemory(length), cancellation);
            length += read;
            try
            {
                int taken = parser.Take(buffer.AsSpan(0, length), isLast: read == 0);
                buffer.AsSpan(taken, length - taken).CopyTo(buffer);
                length -= taken;
                if (read == 0)
                {
                    return parser.Finish();
                }
            }
            catch (Exception e) when (IsOtherForm(e))
            {
                throw NotUnderstood(e);
            }
        }
    }

    private static bool IsOtherForm(Exception e) => e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException;

    private static Protocol.Errors.QubesException NotUnderstood(Exception e) => ClientErrors.Communication($"The state is not understood: {e.Message}");
}
