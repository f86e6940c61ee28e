namespace Qubes.Model.Changes;

/// <summary>Who caused a change, by which call, and when.</summary>
/// <param name="Who">The name of the calling qube, or <c>qubesd</c> for the daemon's own doing.</param>
/// <param name="Call">The method with its argument, such as <c>admin.vm.property.Set+memory</c>, or what the daemon was doing.</param>
/// <param name="When">The time of the call.</param>
public sealed record ChangeOrigin(string Who, string Call, DateTimeOffset When);
