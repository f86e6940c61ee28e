using System.Text.Json;

namespace Qvm.Output;

/// <summary>Says in lines what a plan of <c>admin.change.Plan</c> holds.</summary>
internal static class PlanText
{
    public static IEnumerable<string> Lines(JsonElement plan)
    {
        bool any = false;
        foreach (JsonElement change in plan.GetProperty("changes").EnumerateArray())
        {
            any = true;
            yield return Change(change);
        }

        if (!any)
        {
            yield return "nothing would change";
        }

        foreach (string warning in Warnings(plan))
        {
            yield return warning;
        }
    }

    /// <summary>What a person should know before and after: restarts, rights, holds.</summary>
    public static IEnumerable<string> Warnings(JsonElement plan)
    {
        foreach (JsonElement restart in plan.GetProperty("restart").EnumerateArray())
        {
            string because = string.Join(", ", restart.GetProperty("because").EnumerateArray().Select(part => part.GetString()));
            yield return $"{Text(restart, "qube")} needs a restart: {because}";
        }

        foreach (JsonElement right in plan.GetProperty("rights").EnumerateArray())
        {
            yield return $"rights widen: {Text(right, "service")}{Text(right, "argument")} from {Text(right, "source")} to {Text(right, "target")}, "
                + $"{Text(right, "before")} -> {Text(right, "after")} ({Text(right, "rule")})";
        }

        if (!plan.GetProperty("rights_complete").GetBoolean())
        {
            yield return "rights widen: there is more than was looked at";
        }

        foreach (JsonElement hold in plan.GetProperty("holds").EnumerateArray())
        {
            string before = Text(hold, "before");
            yield return $"{Text(hold, "kind")} of {Text(hold, "qube")}: {(before.Length == 0 ? "none" : before)} -> {Text(hold, "after")}";
        }
    }

    private static string Change(JsonElement change)
    {
        string qube = Text(change, "qube");
        string part = Text(change, "part");
        string what = $"{(qube.Length == 0 ? "system" : qube)} {part}";
        JsonElement after = change.GetProperty("after");
        return part == "exists"
            ? $"{qube} {(after.GetBoolean() ? "is made" : "is removed")}"
            : $"{what}: {Value(change.GetProperty("before"))} -> {Value(after)}";
    }

    private static string Value(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("type", out _))
        {
            return value.GetRawText();
        }

        string text = value.GetProperty("value") is { ValueKind: JsonValueKind.String } set ? $"'{set.GetString()}'" : "unset";
        return value.GetProperty("default").GetBoolean() ? text + " (default)" : text;
    }

    private static string Text(JsonElement json, string member) => json.GetProperty(member).GetString() ?? "";
}
