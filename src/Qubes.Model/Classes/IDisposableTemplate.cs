namespace Qubes.Model.Classes;

/// <summary>A qube that may serve as the template of disposables.</summary>
public interface IDisposableTemplate
{
    /// <summary>It does serve as one.</summary>
    bool TemplateForDispVMs { get; }
}
