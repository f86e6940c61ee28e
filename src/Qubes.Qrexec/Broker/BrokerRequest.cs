using System.Buffers.Binary;

namespace Qubes.Qrexec.Broker;

/// <summary>What a host program asks of a qube's vchan broker.</summary>
internal enum BrokerOperation : uint
{
    /// <summary>Become the server of a port, for the guest to connect to.</summary>
    Listen = 1,

    /// <summary>Connect to a port the guest serves.</summary>
    Connect = 2,
}

/// <summary>
/// The request that opens a connection to a vchan broker. The broker answers with one byte, <see cref="Done"/>, when the
/// request is carried out: for Connect once, when the guest has accepted; for Listen twice, when the guest can connect and when it
/// has. From then on the connection is the vchan. A request that fails is answered by closing.
/// </summary>
// 0   u32  operation
// 4   u32  domain on whose behalf: the peer the guest sees (0 = dom0)
// 8   u32  port
internal readonly record struct BrokerRequest(BrokerOperation Operation, uint Domain, uint Port)
{
    public const int Size = 12;
    public const byte Done = 1;

    /// <summary>Reads a request of <see cref="Size"/> bytes; null when the operation is unknown.</summary>
    public static BrokerRequest? TryRead(ReadOnlySpan<byte> source)
    {
        BrokerRequest request = new(
            (BrokerOperation)BinaryPrimitives.ReadUInt32LittleEndian(source),
            BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[8..]));
        return request.Operation is BrokerOperation.Listen or BrokerOperation.Connect ? request : null;
    }

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Operation);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Domain);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Port);
        return bytes;
    }
}
