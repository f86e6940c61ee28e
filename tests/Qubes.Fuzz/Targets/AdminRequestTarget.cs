using System.Buffers;
using System.Text;
using Qubes.Protocol.Admin;

namespace Qubes.Fuzz.Targets;

/// <summary>Request framing: a request that was accepted is made of the input's own bytes, in order, and nothing is lost.</summary>
internal sealed class AdminRequestTarget : IFuzzTarget
{
    public string Name => "admin-request";

    public IEnumerable<byte[]> Seeds =>
    [
        "admin.vm.property.Get+netvm dom0 name work\0"u8.ToArray(),
        "admin.vm.List+ mgmt keyword adminvm\0"u8.ToArray(),
        "admin.vm.Start+ dom0 name uuid:00000000-0000-0000-0000-000000000000\0"u8.ToArray(),
        "admin.vm.Create.AppVM+debian dom0 name dom0\0name=work label=red"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (AdminRequest.TryParse(input, out AdminRequest request) != AdminRequestError.None)
        {
            return;
        }

        if (input.Length > AdminLimits.MaxRequestBytes)
        {
            throw new InvalidOperationException("An oversized request was accepted");
        }

        ReadOnlySpan<byte> header = input[..input.IndexOf((byte)0)];
        bool hadPlus = header[..header.IndexOf((byte)' ')].Contains((byte)'+');
        bool keyword = request.UntrustedDestination.SequenceEqual("dom0"u8) && header.EndsWith(" keyword adminvm"u8);
        ArrayBufferWriter<byte> rebuilt = new();
        rebuilt.Write(request.UntrustedMethod);
        rebuilt.Write(hadPlus ? "+"u8 : default);
        rebuilt.Write(request.UntrustedArgument);
        rebuilt.Write(" "u8);
        rebuilt.Write(request.UntrustedSource);
        rebuilt.Write(keyword ? " keyword adminvm"u8 : " name "u8);
        rebuilt.Write(keyword ? default : request.UntrustedDestination);
        rebuilt.Write("\0"u8);
        rebuilt.Write(request.UntrustedPayload);
        if (!rebuilt.WrittenSpan.SequenceEqual(input))
        {
            throw new InvalidOperationException($"Parts do not make up the request: {Encoding.Latin1.GetString(rebuilt.WrittenSpan)}");
        }
    }
}
