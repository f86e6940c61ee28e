using System.Net;
using Qubes.Model.Disposables;
using Qubes.Model.Network;

namespace Qubes.Model.Classes;

/// <summary>A disposable: started from snapshots of its template's volumes, of which nothing is kept.</summary>
public sealed class DispVM : QubesVM
{
    internal DispVM(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity)
    {
    }

    /// <summary>The disposable template. Never null once loaded or created.</summary>
    public override QubesVM? Template => DispVMProperties.Template.Get(this);

    /// <summary>Its number among disposables; its address is made of it.</summary>
    public int DispId => DispVMProperties.DispId.Get(this);

    /// <summary>It is removed when it stops: nobody gave it a name to come back to.</summary>
    public bool AutoCleanup => DispVMProperties.AutoCleanup.Get(this);

    /// <summary>It waits, started ahead of need, or is just being handed out.</summary>
    public bool IsPreload => PreloadRequested || IsInPreloadList;

    /// <summary>
    /// It was chosen for somebody and is not ready to be used yet. Not stored: after a restart nobody waits for it any more.
    /// </summary>
    public bool PreloadRequested
    {
        get => Runtime.IsPreloadRequested;
        set
        {
            if (value != Runtime.IsPreloadRequested)
            {
                Runtime.IsPreloadRequested = value;
                Handlers.QubeHandlers.Announce(this, DispVMProperties.IsPreload);
            }
        }
    }

    /// <summary>Its template lists it as ready or being prepared.</summary>
    public bool IsInPreloadList => Template is { } template && PreloadList.Contains(template, Name);

    internal override IPAddress DefaultIP => QubesNetwork.AddressOf(QubesNetwork.DisposablePrefix, DispId);

    internal override IPAddress DefaultIP6 => QubesNetwork.Address6Of(QubesNetwork.DisposablePrefix, DispId);

    /// <summary>What starts from a disposable starts from the same template: never with another network than it has itself.</summary>
    internal override Qube? DefaultDispVMDefault => Template;

    internal override bool IncludeInBackupsDefault => !AutoCleanup;

    private protected override string IconPrefix => "dispvm-";
}
