namespace Qubes.Admin.Planning;

/// <summary>A call that would go through, or be asked about, after a change and not before.</summary>
/// <param name="Service">The service; <c>any-other-service</c> for one that no rule names.</param>
/// <param name="Argument">Its argument with the plus.</param>
/// <param name="Source">Who calls.</param>
/// <param name="Target">Whom.</param>
/// <param name="Before"><c>deny</c> or <c>ask</c>.</param>
/// <param name="After"><c>ask</c> or <c>allow</c>.</param>
/// <param name="Rule">The place of the rule that decides then.</param>
internal sealed record WidenedRight(string Service, string Argument, string Source, string Target, string Before, string After, string Rule);
