using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Audit;

namespace Qubes.Admin.Audit;

/// <summary>
/// The files of the log: continues the chain of an earlier run, writes in batches, begins new files. Belongs to one thread and blocks
/// on the disk. After an exception nothing of the piece that failed is in the file, and the next call tries again.
/// </summary>
internal sealed class AuditWriter(AuditOptions options, TimeProvider time) : IDisposable
{
    // Between two writes: bounds what a full disk has to take back and what is encoded at once.
    private const int RecordsPerWrite = 256;
    private const UnixFileMode FilePermissions = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private const UnixFileMode DirectoryPermissions = FilePermissions | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;

    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private SafeFileHandle? _file;
    private AuditPosition _position = AuditPosition.Beginning;
    private bool _mustTellStart = true;
    private AuditTail? _found;
    private long _length;
    private long _lastSync;

    /// <summary>Everything written is on disk.</summary>
    public bool IsSynced { get; private set; } = true;

    /// <summary>How many records of the batch that failed are in the file all the same.</summary>
    public int WrittenOfBatch { get; private set; }

    /// <summary>Why records were lost.</summary>
    public string? LastFailure { get; set; }

    /// <summary>Opens the log where that has not been done: finds its end, mends a line cut short, tells of the start.</summary>
    public void Open()
    {
        WrittenOfBatch = 0;
        if (_file is null)
        {
            Directory.CreateDirectory(options.Directory, DirectoryPermissions);
            _found = AuditTail.Find(options.Directory);
            _position = _found.Position;
            if (_found.File is null)
            {
                BeginFile();
            }
            else
            {
                Continue(_found.File, _found.Length);
            }
        }

        if (_mustTellStart)
        {
            AuditTail found = _found!;
            Append(encoder =>
            {
                if (found.Fragment.Length > 0)
                {
                    encoder.WriteTorn(Now, found.Fragment, _buffer);
                }

                encoder.WriteStart(Now, found.IsClean, _buffer);
            });
            _mustTellStart = false;
        }
    }

    public void Write(List<AuditEntry> batch)
    {
        while (WrittenOfBatch < batch.Count)
        {
            if (_length >= options.FileSize)
            {
                Rotate();
            }

            int end = Math.Min(batch.Count, WrittenOfBatch + RecordsPerWrite);
            Append(encoder =>
            {
                for (int i = WrittenOfBatch; i < end; i++)
                {
                    encoder.Write(batch[i], _buffer);
                }
            });
            WrittenOfBatch = end;
        }
    }

    public void WriteGap(long lost, string reason) => Append(encoder => encoder.WriteGap(Now, lost, reason, _buffer));

    public void WriteStop() => Append(encoder => encoder.WriteStop(Now, _buffer));

    /// <summary>Forces what was written to disk, at most once a period.</summary>
    public void SyncIfDue(bool now)
    {
        if (IsSynced || (!now && time.GetElapsedTime(_lastSync) < options.SyncPeriod))
        {
            return;
        }

        FileContent.Sync(_file!);
        _lastSync = time.GetTimestamp();
        IsSynced = true;
        AtomicFile.Write(Path.Combine(options.Directory, AuditFormat.HeadFile),
            System.Text.Encoding.ASCII.GetBytes(_position + "\n"), FilePermissions);
    }

    public void Dispose() => _file?.Dispose();

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Writes records as one piece: all of them are in the file and the chain goes on from there, or none is.</summary>
    private void Append(Action<AuditEncoder> encode)
    {
        _buffer.ResetWrittenCount();
        AuditEncoder encoder = new(_position);
        encode(encoder);
        try
        {
            FaultPoint.Hit("audit-write");
            RandomAccess.Write(_file!, _buffer.WrittenSpan, _length);
        }
        catch
        {
            FileContent.SetLength(_file!, _length);
            throw;
        }

        _length += _buffer.WrittenCount;
        _position = encoder.Position;
        IsSynced = false;
    }

    private void Continue(string path, long length)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            FileContent.SetLength(file, length);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        (_file, _length) = (file, length);
    }

    private void BeginFile()
    {
        string path = Path.Combine(options.Directory, AuditFormat.FileName(_position.Sequence + 1));
        SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        File.SetUnixFileMode(file, FilePermissions);
        SafeFileHandle? before = _file;
        long lengthBefore = _length;
        (_file, _length) = (file, 0);
        try
        {
            Append(encoder => encoder.WriteOpen(Now, _buffer));
        }
        catch
        {
            // The old file goes on until the disk takes a new one.
            (_file, _length) = (before, lengthBefore);
            file.Dispose();
            File.Delete(path);
            throw;
        }

        before?.Dispose();
        AtomicFile.SyncDirectory(options.Directory);
    }

    private void Rotate()
    {
        FileContent.Sync(_file!);
        BeginFile();
        IReadOnlyList<string> files = AuditFormat.Files(options.Directory);
        for (int i = 0; i + options.Files < files.Count; i++)
        {
            long until = AuditFormat.FirstSequence(Path.GetFileName(files[i + 1]))!.Value - 1;
            Append(encoder => encoder.WritePrune(Now, until, _buffer));
            File.Delete(files[i]);
        }
    }
}
