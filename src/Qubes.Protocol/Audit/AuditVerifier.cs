using System.Globalization;
using System.Text;

namespace Qubes.Protocol.Audit;

/// <summary>
/// Follows the chain through the files of a log, given in their order. What must not be is a problem; what the log itself tells of
/// (a crash, records lost to a full disk) is a note.
/// </summary>
public sealed class AuditVerifier
{
    private const int MostProblems = 100;
    private readonly List<string> _problems = [];
    private readonly List<string> _notes = [];
    private readonly byte[] _hash = new byte[AuditFormat.HashLength];
    private readonly byte[] _computed = new byte[AuditFormat.HashLength];
    private readonly List<AuditPosition> _anchors = [];
    private readonly HashSet<long> _anchorsSeen = [];
    private long _last;
    private long _first;
    private long _prunedUntil;

    public IReadOnlyList<string> Problems => _problems;

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>How many records were seen.</summary>
    public long Records { get; private set; }

    /// <summary>The last record.</summary>
    public AuditPosition End => new(_last, [.. _hash]);

    /// <summary>Requires that the log holds this record: it was there once, whoever knew of it. To be called first.</summary>
    public void Expect(AuditPosition anchor) => _anchors.Add(anchor);

    /// <summary>Checks one file.</summary>
    /// <param name="name">Its name, without directory.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="isLast">It is the one being written: its last line may be cut short.</param>
    public void Check(string name, Stream content, bool isLast)
    {
        bool isEmpty = true;
        AuditLines.Read(content, (line, number, isWhole) =>
        {
            isEmpty = false;
            if (!isWhole)
            {
                (isLast ? _notes : _problems).Add($"{name}:{number}: the line is cut short");
                return;
            }

            CheckLine(name, line, number);
        });
        if (isEmpty && !isLast)
        {
            Problem(name, 1, "the file is empty");
        }
    }

    /// <summary>Checks what only shows at the end.</summary>
    public void Finish()
    {
        if (_first > 1 && _prunedUntil < _first - 1)
        {
            _problems.Add(string.Create(CultureInfo.InvariantCulture,
                $"the records before {_first} are missing, and the log does not tell of their removal"));
        }
        else if (_first > 1)
        {
            _notes.Add(string.Create(CultureInfo.InvariantCulture, $"the records before {_first} were removed by rotation"));
        }

        foreach (AuditPosition anchor in _anchors.Where(a => a.Sequence > 0 && !_anchorsSeen.Contains(a.Sequence)))
        {
            if (anchor.Sequence > _last)
            {
                _problems.Add(string.Create(CultureInfo.InvariantCulture, $"the records {_last + 1} to {anchor.Sequence} at the end are missing"));
            }
            else if (anchor.Sequence >= _first)
            {
                _problems.Add(string.Create(CultureInfo.InvariantCulture, $"record {anchor.Sequence} is missing"));
            }
        }
    }

    private void CheckLine(string name, ReadOnlySpan<byte> line, long number)
    {
        if (!AuditRecord.TryParse(line, out AuditRecord? record) || line.Length <= AuditFormat.HashTailLength
            || !line[^AuditFormat.HashTailLength..].StartsWith(AuditFormat.HashKey))
        {
            Problem(name, number, "not a record");
            return;
        }

        Records++;
        if (number == 1)
        {
            CheckBeginning(name, record);
        }

        if (record.Sequence != _last + 1)
        {
            Problem(name, number, string.Create(CultureInfo.InvariantCulture, $"record {record.Sequence} follows record {_last}"));
        }

        AuditFormat.Hash(_hash, line[..^AuditFormat.HashTailLength], _computed);
        Convert.FromHexString(record.Hash).CopyTo(_hash, 0);
        if (!_computed.AsSpan().SequenceEqual(_hash))
        {
            Problem(name, number, string.Create(CultureInfo.InvariantCulture, $"record {record.Sequence} does not continue the chain"));
        }

        _last = record.Sequence;
        CheckAnchors(name, number);
        Note(name, number, record);
    }

    private void CheckBeginning(string name, AuditRecord record)
    {
        bool isFirstFile = _first == 0;
        if (isFirstFile)
        {
            _first = record.Sequence;
        }

        if (record.Event != AuditEvents.Open || record.Previous is not { Length: 2 * AuditFormat.HashLength } previous
            || !previous.All(char.IsAsciiHexDigitLower))
        {
            Problem(name, 1, "the file does not begin as one should");
            return;
        }

        if (AuditFormat.FirstSequence(name) != record.Sequence)
        {
            Problem(name, 1, string.Create(CultureInfo.InvariantCulture, $"the file begins with record {record.Sequence}"));
        }

        if (isFirstFile)
        {
            // What was before is gone: believed here, and compared with what the log says of it at the end.
            _last = record.Sequence - 1;
            Convert.FromHexString(previous).CopyTo(_hash, 0);
            if (record.Sequence == 1 && previous.AsSpan().ContainsAnyExcept('0'))
            {
                Problem(name, 1, "the first record has something before it");
            }
        }
        else if (previous != Convert.ToHexStringLower(_hash))
        {
            Problem(name, 1, "the file does not continue the one before");
        }
    }

    private void CheckAnchors(string name, long number)
    {
        foreach (AuditPosition anchor in _anchors)
        {
            if (anchor.Sequence == _last)
            {
                _anchorsSeen.Add(_last);
                if (!anchor.Hash.SequenceEqual(_hash))
                {
                    Problem(name, number, string.Create(CultureInfo.InvariantCulture, $"record {_last} is not the one that was there before"));
                }
            }
        }
    }

    private void Note(string name, long number, AuditRecord record)
    {
        string? note = record.Event switch
        {
            AuditEvents.Start when !record.IsClean && record.Sequence > 2 =>
                "the daemon had ended without finishing the log: the last calls before may not be recorded",
            AuditEvents.Gap => string.Create(CultureInfo.InvariantCulture, $"{record.Lost} records could not be kept"),
            AuditEvents.Torn => "the record before was cut short by a crash",
            _ => null,
        };
        if (note is not null && _notes.Count < MostProblems)
        {
            _notes.Add(string.Create(CultureInfo.InvariantCulture, $"{name}:{number}: {note}"));
        }

        if (record.Event == AuditEvents.Prune)
        {
            _prunedUntil = Math.Max(_prunedUntil, record.Until);
        }
    }

    private void Problem(string name, long number, string text)
    {
        if (_problems.Count < MostProblems)
        {
            _problems.Add(new StringBuilder(name).Append(CultureInfo.InvariantCulture, $":{number}: {text}").ToString());
        }
    }
}
