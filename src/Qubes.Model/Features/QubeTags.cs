using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Model.Features;

/// <summary>The tags of one qube, sorted. Tag events fire after the change; a failing handler takes the change back.</summary>
public sealed class QubeTags
{
    private readonly Qube _owner;
    private string[] _items = [];

    internal QubeTags(Qube owner) => _owner = owner;

    public IReadOnlyList<string> All
    {
        get
        {
            _owner.App.Changes.NoteRead(_owner, ModelAspect.Tags);
            return _items;
        }
    }

    public int Count => All.Count;

    public bool Contains(string tag)
    {
        _owner.App.Changes.NoteRead(_owner, ModelAspect.Tags);
        return Array.BinarySearch(_items, tag, StringComparer.Ordinal) >= 0;
    }

    /// <summary>Adds a tag; one that is present is left alone, without an event.</summary>
    public void Add(TagName tag)
    {
        if (Contains(tag))
        {
            return;
        }

        using ChangeScope scope = _owner.App.Changes.Enter();
        Load(tag);
        scope.RecordStored(() => TakeOut(tag), new ChangeRecord(_owner.SubjectText, "tag " + tag, Before: null, ""));
        _owner.Fire("domain-tag-add:" + tag, EventArguments.Of("tag", tag.Value));
        scope.Done();
    }

    /// <exception cref="QubesException"><c>QubesTagNotFoundError</c>.</exception>
    public void Remove(TagName tag)
    {
        if (!Contains(tag))
        {
            throw QubesErrors.TagNotFound(_owner.Name, tag);
        }

        using ChangeScope scope = _owner.App.Changes.Enter();
        RemoveItem(tag);
        scope.RecordStored(() => PutBack(tag), new ChangeRecord(_owner.SubjectText, "tag " + tag, "", After: null));
        _owner.Fire("domain-tag-delete:" + tag, EventArguments.Of("tag", tag.Value));
        scope.Done();
    }

    /// <summary>Takes a tag of the store, without events.</summary>
    public void Load(TagName tag)
    {
        int at = Array.BinarySearch(_items, tag.Value, StringComparer.Ordinal);
        if (at < 0)
        {
            _items = [.. _items.AsSpan(0, ~at), tag.Value, .. _items.AsSpan(~at)];
            _owner.TouchStore(ModelAspect.Tags);
        }
    }

    // Each gives what takes it back; null where nothing was to do any more.
    private Redo? TakeOut(TagName tag)
    {
        if (!Contains(tag))
        {
            return null;
        }

        RemoveItem(tag);
        return () =>
        {
            if (Contains(tag))
            {
                return null;
            }

            Load(tag);
            return () => TakeOut(tag);
        };
    }

    private Redo? PutBack(TagName tag)
    {
        if (Contains(tag))
        {
            return null;
        }

        Load(tag);
        return () =>
        {
            if (!Contains(tag))
            {
                return null;
            }

            RemoveItem(tag);
            return () => PutBack(tag);
        };
    }

    private void RemoveItem(string tag)
    {
        _items = Array.FindAll(_items, t => t != tag);
        _owner.TouchStore(ModelAspect.Tags);
    }
}
