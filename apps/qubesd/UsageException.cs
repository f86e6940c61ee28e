namespace Qubesd;

internal sealed class UsageException(string message) : Exception(message);
