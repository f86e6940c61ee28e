using Qubes.Libvirt.Native;

namespace Qubes.Libvirt;

/// <summary>Picks what we use out of a record of <c>virConnectGetAllDomainStats</c>.</summary>
internal static unsafe class StatsReader
{
    private const int TypeInt = 1;
    private const int TypeULong = 4;

    internal static DomainSample Read(ConnectionCalls.StatsRecord* record)
    {
        var state = DomainState.None;
        var reason = 0;
        ulong memory = 0, cpuTime = 0;
        uint cpus = 0;
        for (var i = 0; i < record->Count; i++)
        {
            var parameter = &record->Parameters[i];
            var field = new ReadOnlySpan<byte>(parameter->Field, 80);
            field = field[..Math.Max(field.IndexOf((byte)0), 0)];
            // Values narrower than the union occupy its first bytes.
            if (field.SequenceEqual("state.state"u8) && parameter->Type == TypeInt)
                state = (DomainState)(int)parameter->Value;
            else if (field.SequenceEqual("state.reason"u8) && parameter->Type == TypeInt)
                reason = (int)parameter->Value;
            else if (field.SequenceEqual("balloon.current"u8) && parameter->Type == TypeULong)
                memory = parameter->Value;
            else if (field.SequenceEqual("cpu.time"u8) && parameter->Type == TypeULong)
                cpuTime = parameter->Value;
            else if (field.SequenceEqual("vcpu.current"u8))
                cpus = (uint)parameter->Value;
        }

        var id = (int)DomainCalls.GetId(record->Domain);
        return new DomainSample(LibvirtDomain.NameOf(record->Domain), LibvirtDomain.UuidOf(record->Domain), id, state, reason,
            id >= 0 ? memory : 0, cpuTime, cpus);
    }
}
