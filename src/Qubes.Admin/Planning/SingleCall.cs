namespace Qubes.Admin.Planning;

/// <summary>A call that a step stands for.</summary>
internal readonly record struct SingleCall(string Method, string Argument);
