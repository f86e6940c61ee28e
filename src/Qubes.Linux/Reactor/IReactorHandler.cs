namespace Qubes.Linux;

/// <summary>Told on the loop's thread what happened to its descriptor.</summary>
public interface IReactorHandler
{
    void OnReady(ReactorEvents events);
}
