using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Store.Journal;

/// <summary>
/// The open journal. Records go to one half until a new file of the store is begun; then the other half takes over, if what it holds is no
/// longer needed, which is once a file whose base stands in the half in use is in place. All calls block on the disk and belong on the
/// thread pool, one at a time.
/// </summary>
internal sealed class StoreJournal : IDisposable
{
    // Left free in each half, so that a new file can be begun, and be noted, when no change fits any more.
    private const int Reserve = 512;

    private readonly SafeFileHandle _file;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly int _halfLength;
    private int _half;
    private int _at;
    private ulong _next;
    private bool _isOtherFree;
    private (ulong Sequence, int Half, int At) _lastBase;

    /// <param name="path">An existing journal.</param>
    /// <param name="scan">What is in it.</param>
    /// <param name="isOtherFree">Nothing in the half that was not written last is needed.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public StoreJournal(string path, JournalScan scan, bool isOtherFree)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        _halfLength = scan.HalfLength;
        _half = scan.ActiveHalf;
        _at = scan.ActiveLength;
        _next = scan.NextSequence;
        _isOtherFree = isOtherFree;
    }

    /// <summary>Room that changes take of the half in use, from 0 to 1.</summary>
    public double Fill => (double)_at / (_halfLength - Reserve);

    /// <summary>A write failed, and what is in the file is not known: nothing more may be written.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Makes an empty journal of this size. Its blocks are written once, so that later writes need no others.</summary>
    public static void Create(string path, int size, UnixFileMode mode, uint? group) => AtomicFile.Write(path, new byte[size], mode, group);

    /// <summary>A change of this size has room.</summary>
    public bool Fits(int payloadLength) => JournalFormat.LengthOf(payloadLength) <= _halfLength - Reserve - _at;

    /// <summary>Appends a change. On return it is durable; after an exception it is not there.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Append(ReadOnlySpan<byte> payload)
    {
        Write(JournalRecordKind.Change, payload, isDurable: true);
        FaultPoint.Hit("journal-change:durable");
    }

    /// <summary>Notes, durably, the file that is about to take the store's name: what is appended from now on are changes of it.</summary>
    /// <returns>Names the base for <see cref="Settle"/>.</returns>
    public ulong Begin(BaseMark mark)
    {
        if (_isOtherFree)
        {
            _half ^= 1;
            _at = 0;
            _isOtherFree = false;
        }

        Span<byte> payload = stackalloc byte[BaseMark.Length];
        mark.Write(payload);
        (ulong, int, int) place = (_next, _half, _at);
        Write(JournalRecordKind.Base, payload, isDurable: true);
        _lastBase = place;
        FaultPoint.Hit("journal-base:durable");
        return place.Item1;
    }

    /// <summary>The file of a base is in place: what stands before that is needed no more. It does not matter if a crash loses the note.</summary>
    public void Settle(ulong baseSequence, bool isDurable = false)
    {
        Span<byte> payload = stackalloc byte[SettledMark.Length];
        new SettledMark(baseSequence).Write(payload);
        if (_at + JournalFormat.LengthOf(SettledMark.Length) <= _halfLength)
        {
            Write(JournalRecordKind.Settled, payload, isDurable);
        }

        if (_lastBase.Sequence == baseSequence && _lastBase.Half == _half)
        {
            _isOtherFree = true;
        }
    }

    /// <summary>The file of a base came to nothing: if nothing was written since, the room of its note is used again.</summary>
    public void Withdraw(ulong baseSequence)
    {
        if (_lastBase.Sequence == baseSequence && _next == baseSequence + 1)
        {
            (_next, _half, _at) = _lastBase;
        }
    }

    public void Dispose() => _file.Dispose();

    private void Write(JournalRecordKind kind, ReadOnlySpan<byte> payload, bool isDurable)
    {
        ObjectDisposedException.ThrowIf(IsBroken, this);
        int length = JournalFormat.LengthOf(payload.Length);
        if (length > _halfLength - _at)
        {
            throw new IOException("The journal of the store is full");
        }

        _buffer.ResetWrittenCount();
        Span<byte> record = _buffer.GetSpan(length)[..length];
        payload.CopyTo(record[JournalFormat.HeaderLength..]);
        JournalFormat.Seal(record, kind, _next, payload.Length);
        long offset = ((long)_half * _halfLength) + _at;
        try
        {
            RandomAccess.Write(_file, record, offset);
            if (isDurable)
            {
                FaultPoint.Hit("journal:written");
                FileContent.SyncData(_file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            IsBroken = true;
            Erase(offset);
            throw;
        }

        _next++;
        _at += length;
    }

    // It may have reached the disk all the same, and must not be found there: whoever asked for it is told that it failed.
    private void Erase(long offset)
    {
        try
        {
            RandomAccess.Write(_file, stackalloc byte[JournalFormat.HeaderLength], offset);
            FileContent.SyncData(_file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk takes nothing. The next file of the store, which has all that counts, has a higher revision.
        }
    }
}
