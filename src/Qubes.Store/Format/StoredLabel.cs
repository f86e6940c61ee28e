using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>One label as written: <c>&lt;label id="label-N" color="0xRRGGBB"&gt;NAME&lt;/label&gt;</c>.</summary>
internal sealed record StoredLabel(string Id, string Color, string Name, int Line, ForeignXml? Foreign);
