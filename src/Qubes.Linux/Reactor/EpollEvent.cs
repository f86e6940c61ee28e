using System.Runtime.InteropServices;

namespace Qubes.Linux;

// struct epoll_event { uint32_t events; uint64_t data; } __attribute__((packed)) on x86-64
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct EpollEvent
{
    public uint Events;
    public ulong Data;
}
