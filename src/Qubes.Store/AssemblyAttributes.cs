using System.Runtime.CompilerServices;

// The serializer is tested without a file.
[assembly: InternalsVisibleTo("Qubes.Store.Tests")]

// Readers of what may be damaged are fuzzed on their own.
[assembly: InternalsVisibleTo("Qubes.Fuzz")]

// A stand-in for the store writes the history that calls read.
[assembly: InternalsVisibleTo("Qubes.Admin.Tests")]
