using Qubes.Model.Classes;

namespace Qubes.Admin.State;

/// <summary>What filters are asked about once they let the qube itself pass: one section of its state beyond the base.</summary>
internal sealed record QubeSection(Qube Qube, QubeSections Section);
