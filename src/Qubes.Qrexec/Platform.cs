// The product runs on Linux only: file modes and UNIX sockets need no guard here.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
