namespace Qubesd;

/// <summary>The command line.</summary>
internal sealed record DaemonOptions
{
    public const string Usage = """
        usage: qubesd [--root DIR] [--libvirt URI] [--daemon-user USER] [--debug] [--log-dom0-call]
               qubesd --init-root [--root DIR]
               qubesd --print-api-docs | --print-admin-policy | --man-page PROGRAM | --help | --version

        The daemon of the Qubes OS Admin API. It holds all qubes and serves run/qubesd.sock.

          --root DIR               prefix of every path, "/" by default (or $QUBES_ROOT)
          --libvirt URI            hypervisor: qemu:///system if libvirtd runs, else qemu:///embed below the root;
                                   xen:/// and test:///default are known too
          --daemon-user USER       account of the daemons that serve qubes, and of the services they start; by default the first member
                                   of the group qubes, else qubes-daemon
          --debug                  log everything, and send stack traces to callers
          --log-dom0-call          log every call (or a non-empty $QUBES_LOG_DOM0_CALL)
          --init-root              make the directories, service links and default policy files below the root, then end;
                                   files an administrator may have changed are left alone
          --print-api-docs         print the reference of all calls, then end
          --print-admin-policy     print 90-admin-default.policy, then end
          --man-page PROGRAM       print the manual page of one of the programs below, then end
          --help, --version

        Under these names, or with one of them as first argument, it works without the daemon, on a store or the policy:
        programs: qubes-store qubes-create qubes-policy-admin

        """;

    public string? Root { get; private set; }

    public string? LibvirtUri { get; private set; }

    /// <summary>Whom the daemons of qubes run as; null: whoever fits.</summary>
    public string? DaemonUser { get; private set; }

    public bool Debug { get; private set; }

    public bool LogCalls { get; private set; }

    /// <summary>Whose manual page is wanted.</summary>
    public string? Manual { get; private set; }

    public DaemonAction Action { get; private set; } = DaemonAction.Serve;

    /// <exception cref="UsageException">The command line is not understood.</exception>
    public static DaemonOptions Parse(string[] args)
    {
        DaemonOptions options = new() { LogCalls = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("QUBES_LOG_DOM0_CALL")) };
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--root":
                    options.Root = Value(args, ref i);
                    break;
                case "--libvirt":
                    options.LibvirtUri = Value(args, ref i);
                    break;
                case "--daemon-user":
                    options.DaemonUser = Value(args, ref i);
                    break;
                case "--debug":
                    options.Debug = true;
                    break;
                case "--log-dom0-call":
                    options.LogCalls = true;
                    break;
                case "--init-root":
                    options.Action = DaemonAction.InitialiseRoot;
                    break;
                case "--print-api-docs":
                    options.Action = DaemonAction.PrintDocs;
                    break;
                case "--print-admin-policy":
                    options.Action = DaemonAction.PrintPolicy;
                    break;
                case "--man-page":
                    options.Action = DaemonAction.PrintManual;
                    options.Manual = Value(args, ref i);
                    break;
                case "--help" or "-h":
                    options.Action = DaemonAction.Help;
                    break;
                case "--version":
                    options.Action = DaemonAction.Version;
                    break;
                default:
                    throw new UsageException($"unrecognized arguments: {args[i]}");
            }
        }

        return options;
    }

    private static string Value(string[] args, ref int at) =>
        ++at < args.Length ? args[at] : throw new UsageException($"argument {args[at - 1]}: expected one argument");
}
