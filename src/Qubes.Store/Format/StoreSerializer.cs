using System.Globalization;
using System.Text;
using Qubes.Model;
using Qubes.Model.Classes;

namespace Qubes.Store.Format;

/// <summary>
/// Makes the bytes of the store. Each qube's element is kept and made anew only when the qube changed, and every new one is verified;
/// so a save of a thousand qubes is one pass of copying. The buffer is reused: it is valid until the next call.
/// </summary>
internal sealed class StoreSerializer(QubesApp app, PreservedEntries preserved)
{
    private readonly XmlOutput _output = new();
    private readonly Dictionary<Qube, Fragment> _fragments = [];
    private byte[] _buffer = [];
    private Fragment? _head;

    /// <summary>Builds the file. Runs on the model loop; the result may be written elsewhere.</summary>
    public ReadOnlyMemory<byte> Build(long revision)
    {
        byte[] head = Head();
        byte[] tail = Tail(revision);
        int length = head.Length + tail.Length;
        foreach (Qube qube in app.Domains)
        {
            length += FragmentOf(qube).Length;
        }

        if (_buffer.Length < length)
        {
            _buffer = GC.AllocateUninitializedArray<byte>(Math.Max(length, _buffer.Length * 3 / 2));
        }

        int at = Append(head, 0);
        foreach (Qube qube in app.Domains)
        {
            at = Append(_fragments[qube].Bytes, at);
        }

        at = Append(tail, at);
        if (_fragments.Count > app.Domains.Count)
        {
            foreach (Qube gone in _fragments.Keys.Where(qube => !qube.IsInCollection).ToArray())
            {
                _fragments.Remove(gone);
            }
        }

        return _buffer.AsMemory(0, at);
    }

    private int Append(byte[] bytes, int at)
    {
        bytes.CopyTo(_buffer, at);
        return at + bytes.Length;
    }

    private byte[] FragmentOf(Qube qube)
    {
        if (_fragments.TryGetValue(qube, out Fragment? cached) && cached.Version == qube.StoreVersion)
        {
            return cached.Bytes;
        }

        _output.Clear();
        QubeWriter.Write(qube, _output);
        byte[] bytes = _output.Written.ToArray();
        FragmentVerifier.Verify(qube, bytes);
        _fragments[qube] = new Fragment(qube.StoreVersion, bytes);
        return bytes;
    }

    private byte[] Head()
    {
        if (_head is { } cached && cached.Version == app.StoreVersion)
        {
            return cached.Bytes;
        }

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

        _output.Indent(1).Raw("</domains>\n"u8);
        foreach (string element in preserved.Unknown)
        {
            _output.Indent(1).Raw(element).Raw("\n"u8);
        }

        _output.Indent(1).Raw(string.Create(CultureInfo.InvariantCulture, $"<!-- revision {revision} -->\n")).Raw("</qubes>\n"u8);
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

        if (read.Labels.Count != app.Labels.Count + preserved.Labels.Count
            || read.Pools.Count != app.Pools.All.Count + preserved.Pools.Count
            || app.Properties.InListOrder.Any(p => p.IsExplicit(app)
                && !read.Properties.Contains(new KeyValuePair<string, string>(p.Name, p.StoreText(app)))))
        {
            throw new InvalidDataException("the labels, pools or global properties were not written faithfully");
        }
    }

    private sealed record Fragment(long Version, byte[] Bytes);
}
