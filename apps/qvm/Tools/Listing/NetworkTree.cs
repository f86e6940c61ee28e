namespace Qvm.Tools.Listing;

/// <summary>The order of <c>qvm-ls --tree</c>.</summary>
internal static class NetworkTree
{
    /// <summary>
    /// First the qubes outside any network, then each root of a network with its clients beneath it. Qubes whose netvm
    /// is not among <paramref name="rows"/> have no place in the tree.
    /// </summary>
    public static List<(QubeRow Row, int Depth)> Order(IReadOnlyList<QubeRow> rows)
    {
        ILookup<string, QubeRow> clients = rows.ToLookup(r => r.Netvm ?? "", StringComparer.Ordinal);
        List<(QubeRow, int)> order = [.. clients[""].Where(r => !ProvidesNetwork(r)).Select(r => (r, 0))];
        foreach (QubeRow root in clients[""].Where(ProvidesNetwork))
        {
            Add(root, 0);
        }

        return order;

        // The daemon refuses loops, so this ends.
        void Add(QubeRow row, int depth)
        {
            order.Add((row, depth));
            foreach (QubeRow client in clients[row.Info.Name])
            {
                Add(client, depth + 1);
            }
        }
    }

    private static bool ProvidesNetwork(QubeRow row) => row.Property("provides_network")?.AsBool == true;
}
