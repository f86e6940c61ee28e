using System.Runtime.CompilerServices;

// The serializer is tested without a file.
[assembly: InternalsVisibleTo("Qubes.Store.Tests")]

// Readers of what may be damaged are fuzzed on their own.
[assembly: InternalsVisibleTo("Qubes.Fuzz")]
