using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qubes.Tools.Tests")]
