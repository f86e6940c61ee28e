using System.Buffers;

namespace Qubes.Admin.State;

/// <summary>
/// The JSON object of one qube, or of the system, together with the places of its parts, so that two of them are compared and their
/// difference written without parsing. Immutable.
/// </summary>
/// <param name="layout">Its parts.</param>
/// <param name="json">The whole object.</param>
/// <param name="marks">Begin and end of each part's value in it.</param>
internal sealed class StateFragment(FragmentLayout layout, byte[] json, int[] marks)
{
    public ReadOnlySpan<byte> Json => json;

    public FragmentLayout Layout => layout;

    public bool IsSameAs(StateFragment other) => json.AsSpan().SequenceEqual(other.Json);

    /// <summary>The value of a part.</summary>
    public ReadOnlySpan<byte> Part(int index) => json.AsSpan(marks[2 * index]..marks[(2 * index) + 1]);

    /// <summary>The value of a part as somebody who sees these sections is told it: what they do not hold is null.</summary>
    public ReadOnlySpan<byte> Part(int index, QubeSections sections) => Holds(sections, index) ? Part(index) : "null"u8;

    /// <summary>Writes the object as somebody who sees these sections is told it.</summary>
    public void Write(IBufferWriter<byte> output, QubeSections sections)
    {
        int from = 0;
        for (int i = 0; sections != QubeSections.All && i < layout.Names.Length; i++)
        {
            if (!Holds(sections, i))
            {
                output.Write(json.AsSpan(from..marks[2 * i]));
                output.Write("null"u8);
                from = marks[(2 * i) + 1];
            }
        }

        output.Write(json.AsSpan(from..));
    }

    /// <summary>
    /// Writes the object of those parts that differ from an earlier one of the same layout: plain members, and the changed ones
    /// among <c>properties</c>.
    /// </summary>
    /// <param name="earlier">What was told before.</param>
    /// <param name="saw">The sections of it that were told.</param>
    /// <param name="sees">The sections that are told now.</param>
    /// <param name="output">Where to.</param>
    /// <returns>Whether anything differs.</returns>
    public bool WriteChanges(StateFragment earlier, QubeSections saw, QubeSections sees, IBufferWriter<byte> output)
    {
        bool inProperties = false;
        bool isFirst = true;
        output.Write("{"u8);
        for (int i = 0; i < layout.Names.Length; i++)
        {
            if (Part(i, sees).SequenceEqual(earlier.Part(i, saw)))
            {
                continue;
            }

            bool isProperty = layout.IsProperty(i);
            if (inProperties && !isProperty)
            {
                output.Write("}"u8);
                isFirst = false;
            }

            output.Write(isFirst ? default : ","u8);
            if (isProperty && !inProperties)
            {
                output.Write("\"properties\":{"u8);
            }

            JsonText.Write(output, layout.Names[i]);
            output.Write(":"u8);
            output.Write(Part(i, sees));
            (isFirst, inProperties) = (false, isProperty);
        }

        output.Write(inProperties ? "}}"u8 : "}"u8);
        return !isFirst;
    }

    private bool Holds(QubeSections sections, int part) => (layout.SectionOf(part) & sections) != QubeSections.None;
}
