using System.Buffers.Binary;

namespace Qubes.Qrexec.Vchan.Broker;

/// <summary>
/// The one message a client sends to a broker. <paramref name="Domain"/> is, as everywhere on a link, the end that is not the guest.
/// </summary>
// 0   u32  magic "QVB1"
// 4   u32  operation: 1 connect, 2 listen
// 8   u32  domain
// 12  u32  port
// Answer: u32 status. Connect: 1 or 3. Listen: 2, then 1 or 3. After 1 the connection is the vchan. Little endian.
internal readonly record struct BrokerRequest(BrokerOperation Operation, uint Domain, uint Port)
{
    public const int Size = 16;
    public const int StatusSize = 4;
    private const uint Magic = 0x3142_5651;

    public static bool TryRead(ReadOnlySpan<byte> source, out BrokerRequest request)
    {
        request = new(
            (BrokerOperation)BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(source) == Magic
            && request.Operation is BrokerOperation.Connect or BrokerOperation.Listen;
    }

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), (uint)Operation);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Domain);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Port);
        return bytes;
    }

    public static byte[] Status(BrokerStatus status)
    {
        byte[] bytes = new byte[StatusSize];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)status);
        return bytes;
    }

    public static BrokerStatus ReadStatus(ReadOnlySpan<byte> source) => (BrokerStatus)BinaryPrimitives.ReadUInt32LittleEndian(source);
}
