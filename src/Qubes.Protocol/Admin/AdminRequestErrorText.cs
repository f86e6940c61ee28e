namespace Qubes.Protocol.Admin;

/// <summary>The text a caller gets for a request that could not be read.</summary>
public static class AdminRequestErrorText
{
    public static string Of(AdminRequestError error) => error switch
    {
        AdminRequestError.TooLong => "request too long (max 65536 bytes)",
        AdminRequestError.NoHeaderEnd => "framing error: request header is not terminated",
        AdminRequestError.MissingField => "framing error: request header has too few fields",
        AdminRequestError.NotAscii => "framing error: request header contains non-ASCII bytes",
        AdminRequestError.UnknownDestinationType => "framing error: unknown destination type",
        AdminRequestError.UnknownDestinationKeyword => "framing error: unknown destination keyword",
        _ => "framing error",
    };
}
