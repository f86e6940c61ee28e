using Qubes.Bench;

if (BenchOptions.Parse(args) is not { } options)
{
    Console.Error.Write(BenchOptions.Usage);
    return 2;
}

IReadOnlyList<ResultRow> rows = await new Measurements(options).RunAsync();
int width = rows.Max(r => r.What.Length);
int measured = rows.Max(r => r.Measured.Length);
Console.WriteLine();
Console.WriteLine($"{"what".PadRight(width)}  {"target",-12}  {"measured".PadRight(measured)}");
foreach (ResultRow row in rows)
{
    Console.WriteLine($"{row.What.PadRight(width)}  {row.Target,-12}  {row.Measured.PadRight(measured)}  {(row.IsHeld ? "ok" : "MISSED")}");
}

int missed = rows.Count(r => !r.IsHeld);
Console.WriteLine($"{rows.Count - missed} held, {missed} missed");
return missed == 0 ? 0 : 1;
