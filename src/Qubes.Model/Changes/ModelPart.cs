using Qubes.Model.Properties;

namespace Qubes.Model.Changes;

/// <summary>The smallest thing whose change is noticed: a property of a holder, a feature, the tags of a qube, ….</summary>
/// <param name="Holder">Whose; the application for what is no qube's.</param>
/// <param name="Aspect">What kind of thing.</param>
/// <param name="Item">The name of the property, the feature or the qube; empty otherwise.</param>
public readonly record struct ModelPart(PropertyHolder Holder, ModelAspect Aspect, string Item = "");
