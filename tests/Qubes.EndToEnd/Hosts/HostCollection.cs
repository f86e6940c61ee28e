namespace Qubes.EndToEnd.Hosts;

/// <summary>Tests that share <see cref="RunningHost"/>; they run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class HostCollection : ICollectionFixture<RunningHost>
{
    public const string Name = "host";
}
