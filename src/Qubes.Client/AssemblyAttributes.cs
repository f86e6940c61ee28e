using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qubes.Client.Tests")]
