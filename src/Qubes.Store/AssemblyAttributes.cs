using System.Runtime.CompilerServices;

// The serializer is tested without a file.
[assembly: InternalsVisibleTo("Qubes.Store.Tests")]
