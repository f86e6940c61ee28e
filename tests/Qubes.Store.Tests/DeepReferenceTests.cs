using Qubes.Model.Classes;
using Qubes.Model.Properties;

namespace Qubes.Store.Tests;

/// <summary>References as long, or as round, as a store can make them.</summary>
public sealed class DeepReferenceTests
{
    private const int Last = QubeCount - 1;
    private const int QubeCount = 5_000;

    /// <summary>Each qube gets network, its screen and its disposables from the next one; the last from nobody, or from the first.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("q2")]
    public void A_chain_or_ring_of_all_qubes_can_be_read_in_every_property(string end)
    {
        LoadedStore store = new(StoreText.Store([StoreText.Dom0, StoreText.Fedora, .. Enumerable.Range(2, QubeCount - 2).Select(i =>
        {
            string next = i == Last ? end : $"q{i + 1}";
            return StoreText.AppVM($"q{i}", i,
                $"""
                <property name="provides_network">True</property><property name="template_for_dispvms">True</property>
                <property name="netvm">{next}</property><property name="guivm">{next}</property><property name="default_dispvm">{next}</property>
                """);
        })]));
        Assert.Equal(QubeCount, store.App.Domains.Count);
        Assert.Equal(end.Length == 0 ? 0 : 1, store.App.Problems.Count);
        foreach (Qube qube in (Qube[])[store.Qube("q2"), store.Qube("q3"), store.Qube($"q{Last}")])
        {
            foreach (PropertyDefinition property in qube.Properties.InListOrder)
            {
                Assert.StartsWith("default=", property.Read(qube).Content.ToString(), StringComparison.Ordinal);
            }

            Assert.Null(qube.Features.CheckWithNetVM("none"));
        }
    }
}
