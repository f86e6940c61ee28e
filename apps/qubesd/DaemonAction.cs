namespace Qubesd;

internal enum DaemonAction
{
    Serve,
    InitialiseRoot,
    PrintDocs,
    PrintPolicy,
    PrintManual,
    Help,
    Version,
}
