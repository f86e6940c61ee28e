using System.Globalization;
using Qubes.Linux;
using Qubes.Protocol.Audit;

namespace Qvm.Tools.Auditing;

/// <summary>
/// A record for people: time, source, call, target, outcome, duration, line of policy, user; two blanks between. What callers chose is
/// escaped to printable ASCII.
/// </summary>
internal static class AuditText
{
    public static string Of(AuditRecord record)
    {
        string time = record.Time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
        if (record.Event is { } happened)
        {
            return $"{time}  log: {LogText.Escape(happened)}{Detail(record)}";
        }

        string argument = record.Argument.Length > 0 ? "+" + record.Argument : "";
        string duration = string.Create(CultureInfo.InvariantCulture, $"{record.Microseconds / 1000.0:0.###} ms");
        string policy = record.Policy is { } line ? "  policy " + LogText.Escape(line) : "";
        string user = record.UserId is { } id ? string.Create(CultureInfo.InvariantCulture, $"  uid {id}") : "";
        return $"{time}  {Shown(record.Source)}  {Shown(record.Call + argument)}  {Shown(record.Target)}  {Shown(record.Outcome)}  {duration}{policy}{user}";
    }

    private static string Shown(string text) => text.Length == 0 ? "-" : LogText.Escape(text);

    private static string Detail(AuditRecord record) => record.Event switch
    {
        AuditEvents.Start => record.IsClean ? "" : ", after an end that was not recorded",
        AuditEvents.Gap => string.Create(CultureInfo.InvariantCulture, $", {record.Lost} records lost: {LogText.Escape(record.Reason)}"),
        AuditEvents.Torn => $", a line was cut short: {LogText.Escape(record.Fragment)}",
        AuditEvents.Prune => string.Create(CultureInfo.InvariantCulture, $", records up to {record.Until} removed"),
        _ => "",
    };
}
