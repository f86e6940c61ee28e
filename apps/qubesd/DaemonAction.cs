namespace Qubesd;

internal enum DaemonAction
{
    Serve,
    InitialiseRoot,
    PrintDocs,
    PrintPolicy,
    Help,
    Version,
}
