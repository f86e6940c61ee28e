using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Host;
using Qubes.Model.Properties;

namespace Qubes.Store.Tests;

/// <summary>A text loaded into an application, and what a save would write.</summary>
internal sealed class LoadedStore
{
    public LoadedStore(string text)
    {
        Written = Encoding.UTF8.GetString(QubesStore.Rewrite(App, Encoding.UTF8.GetBytes(text), NullLogger.Instance));
        App.FinishLoading();
    }

    public QubesApp App { get; } = new(new FixedHostFacts());

    /// <summary>The text as it was written right after loading.</summary>
    public string Written { get; }

    public string Names => string.Join(' ', App.Domains.Select(q => q.Name.Value));

    public static string Read(PropertyHolder holder, string property) => holder.Property(property).Read(holder).Content.ToString();

    public string Read(string qube, string property) => Read(App.Domains[qube], property);

    public QubesVM Qube(string name) => (QubesVM)App.Domains[name];
}
