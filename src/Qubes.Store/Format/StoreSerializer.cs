using System.Globalization;
using System.Text;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Store.Format;

/// <summary>
/// Makes the bytes of the store. Each qube's element is kept and made anew only when the qube changed, and every new one is verified.
/// Runs on the model loop.
/// </summary>
internal sealed class StoreSerializer(QubesApp app, PreservedEntries preserved)
{
    private readonly XmlOutput _output = new();
    private readonly Dictionary<Qube, Fragment> _fragments = [];
    private readonly List<Qube> _order = [];
    private Fragment? _head;

    // A label that was left out comes in without the application being touched again.
    private int _headLabels;

    /// <summary>The whole text as of now.</summary>
    public byte[] Build(long revision)
    {
        Update();
        return Snapshot(revision).ToArray();
    }

    /// <summary>Makes anew up to <paramref name="most"/> elements that are missing or old, so that a later update has less to do.</summary>
    /// <returns>Whether any is left.</returns>
    public bool Prepare(int most)
    {
        foreach (Qube qube in app.Domains)
        {
            if (qube.IsBeingMade || IsCurrent(qube))
            {
                continue;
            }

            if (most-- == 0)
            {
                return true;
            }

            Renew(qube);
        }

        return false;
    }

    /// <summary>
    /// Brings what is kept up to date with the model and tells what was not. Deltas describe the state only as long as each one becomes
    /// durable: after one that did not, only a snapshot does.
    /// </summary>
    /// <exception cref="InvalidDataException">Something cannot be written faithfully.</exception>
    public StoreDelta Update()
    {
        // The part of a qube that changed has only what is to be durable now.
        using HiddenChanges hidden = app.Changes.HidePending();
        StoreDelta delta = new();
        int labels = app.Labels.Settled.Count();
        if (_head?.Version != app.StoreVersion || labels != _headLabels)
        {
            delta.Head = Head();
            _headLabels = labels;
        }

        _order.Clear();
        foreach (Qube qube in app.Domains)
        {
            if (qube.IsBeingMade)
            {
                // Its data may be half made: it comes with the change that makes it.
                continue;
            }

            _order.Add(qube);
            if (!IsCurrent(qube))
            {
                delta.Changed.Add(new(qube, Renew(qube)));
            }
        }

        if (_fragments.Count > _order.Count)
        {
            foreach (Qube gone in _fragments.Keys.Where(qube => !qube.IsInCollection).ToArray())
            {
                delta.Removed.Add(gone.Qid);
                _fragments.Remove(gone);
            }
        }

        return delta;
    }

    /// <summary>The text as of the last update.</summary>
    public StoreSnapshot Snapshot(long revision)
    {
        byte[][] pieces = new byte[_order.Count + 2][];
        pieces[0] = _head!.Bytes;
        for (int i = 0; i < _order.Count; i++)
        {
            pieces[i + 1] = _fragments[_order[i]].Bytes;
        }

        pieces[^1] = Tail(revision);
        return new StoreSnapshot(revision, pieces);
    }

    private bool IsCurrent(Qube qube) => _fragments.TryGetValue(qube, out Fragment? cached) && cached.Version == qube.StoreVersion;

    private byte[] Renew(Qube qube)
    {
        _output.Clear();
        QubeWriter.Write(qube, _output);
        byte[] bytes = _output.Written.ToArray();
        FragmentVerifier.Verify(qube, bytes);
        _fragments[qube] = new Fragment(qube.StoreVersion, bytes);
        return bytes;
    }

    private byte[] Head()
    {
        _output.Clear();
        HeadWriter.Write(app, preserved, _output);
        byte[] bytes = _output.Written.ToArray();
        VerifyHead(bytes);
        _head = new Fragment(app.StoreVersion, bytes);
        return bytes;
    }

    private byte[] Tail(long revision)
    {
        _output.Clear();
        foreach (string qube in preserved.Qubes)
        {
            _output.Indent(2).Raw(qube).Raw("\n"u8);
        }

        _output.End(1, "domains"u8, preserved.Foreign["domains"]);
        _output.Raw(preserved.Foreign["qubes"]?.Inside)
            .Indent(1).Raw(string.Create(CultureInfo.InvariantCulture, $"<!-- revision {revision} -->\n"))
            .Raw("</qubes>\n"u8).Raw(preserved.End);
        return _output.Written.ToArray();
    }

    private void VerifyHead(byte[] head)
    {
        StoreDocument read;
        try
        {
            read = StoreReader.Read(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(head) + "</domains></qubes>"));
        }
        catch (System.Xml.XmlException e)
        {
            throw new InvalidDataException("the labels, pools or global properties cannot be written as XML", e);
        }

        if (read.Labels.Count != app.Labels.Settled.Count() + preserved.Labels.Count
            || read.Pools.Count != app.Pools.All.Count + preserved.Pools.Count
            || app.Properties.InListOrder.Any(p => p.IsExplicit(app)
                && !read.Properties.Contains(new KeyValuePair<string, string>(p.Name, p.StoreText(app)))))
        {
            throw new InvalidDataException("the labels, pools or global properties were not written faithfully");
        }
    }

    private sealed record Fragment(long Version, byte[] Bytes);
}
