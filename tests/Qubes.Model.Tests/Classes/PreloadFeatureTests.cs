using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Tests.Classes;

public sealed class PreloadFeatureTests
{
    private readonly TestSystem _system = new();
    private readonly AppVM _template;

    public PreloadFeatureTests()
    {
        _template = _system.DisposableTemplate("dvm");
        foreach (string feature in (ReadOnlySpan<string>)["qrexec", "supported-rpc.qubes.WaitForRunningSystem", "supported-rpc.qubes.WaitForSession"])
        {
            _system.Template.Features.Set(feature, "1");
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("")]
    [InlineData("12")]
    public void The_number_to_keep_is_digits(string value)
    {
        _template.Features.Set(PreloadFeatures.Max, value);
        _system.Dom0.Features.Set(PreloadFeatures.Max, value);
        _system.Dom0.Features.Set(PreloadFeatures.Threshold, value);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("one")]
    [InlineData("99999999999999999999")]
    public void Anything_else_is_refused(string value)
    {
        AssertRefused(_template, PreloadFeatures.Max, value);
        AssertRefused(_system.Dom0, PreloadFeatures.Max, value);
        AssertRefused(_system.Dom0, PreloadFeatures.Threshold, value);
    }

    [Theory]
    [InlineData("qrexec")]
    [InlineData("supported-rpc.qubes.WaitForRunningSystem")]
    [InlineData("supported-rpc.qubes.WaitForSession")]
    public void The_guest_must_be_able_to_tell_that_it_is_ready(string feature)
    {
        _system.Template.Features.Set(feature, "");
        AssertRefused(_template, PreloadFeatures.Max, "1");
        _system.Dom0.Features.Set(PreloadFeatures.Max, "1");
        QubesAppProperties.DefaultDispVM.Set(_system.App, _template);
        AssertRefused(_system.Dom0, PreloadFeatures.Max, "2");
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("2.5", 2.5)]
    [InlineData("-1", -1)]
    public void The_delay_is_a_number_of_seconds_of_the_template_or_else_of_dom0(string value, double seconds)
    {
        Assert.Equal(3, PreloadSettings.DelayOf(_template));
        _system.Dom0.Features.Set(PreloadFeatures.Delay, value);
        Assert.Equal(seconds, PreloadSettings.DelayOf(_template));
        _template.Features.Set(PreloadFeatures.Delay, "7");
        Assert.Equal(7, PreloadSettings.DelayOf(_template));
        AssertRefused(_template, PreloadFeatures.Delay, "soon");
        AssertRefused(_system.Dom0, PreloadFeatures.Delay, "nan");
    }

    [Fact]
    public void The_number_of_dom0_counts_for_the_default_template_whatever_that_says()
    {
        _template.Features.Set(PreloadFeatures.Max, "2");
        _system.Dom0.Features.Set(PreloadFeatures.Max, "5");
        Assert.Equal(2, PreloadSettings.MaximumOf(_template));
        QubesAppProperties.DefaultDispVM.Set(_system.App, _template);
        Assert.Equal(5, PreloadSettings.MaximumOf(_template));
        Assert.True(PreloadSettings.IsGlobalDistinct(_template));
        _system.Dom0.Features.Set(PreloadFeatures.Max, "");
        Assert.Equal(0, PreloadSettings.MaximumOf(_template));
        Assert.Empty(PreloadSettings.Templates(_system.App));
        _system.Dom0.Features.Remove(PreloadFeatures.Max);
        Assert.Equal([_template], PreloadSettings.Templates(_system.App));
    }

    [Fact]
    public void The_list_holds_no_more_than_wanted_each_once_and_only_disposables_of_the_template()
    {
        _ = _system.Disposable("disp1", _template);
        _ = _system.Disposable("disp2", _template);
        _ = _system.Disposable("disp3", _system.DisposableTemplate("other"));
        _template.Features.Set(PreloadFeatures.Max, "2");
        AssertRefused(_template, PreloadFeatures.List, "disp1 disp3");
        AssertRefused(_template, PreloadFeatures.List, "disp1 nobody");
        AssertRefused(_template, PreloadFeatures.List, "disp1 disp1");
        _template.Features.Set(PreloadFeatures.List, "disp1 disp2");
        _template.Features.Set(PreloadFeatures.Max, "1");

        // There may remain as many as there were.
        _template.Features.Set(PreloadFeatures.List, "disp2 disp1");
        _template.Features.Set(PreloadFeatures.List, "disp2");
        AssertRefused(_template, PreloadFeatures.List, "disp1 disp2");
        _template.Features.Set(PreloadFeatures.List, "");
    }

    [Fact]
    public void Who_enters_or_leaves_the_list_tells_that_it_is_or_was_preloaded()
    {
        DispVM first = _system.Disposable("disp1", _template);
        DispVM second = _system.Disposable("disp2", _template);
        _template.Features.Set(PreloadFeatures.Max, "2");
        PreloadList.Add(_template, first);
        _system.Seen.Clear();
        PreloadList.Set(_template, [second.Name]);
        Assert.Equal(["disp1 property-reset:is_preload", "disp2 property-reset:is_preload"],
            _system.Seen.Where(seen => seen.Contains("is_preload", StringComparison.Ordinal)));
        Assert.Equal("default=True type=bool True", TestSystem.Read(second, "is_preload"));
        Assert.Equal("default=True type=bool False", TestSystem.Read(first, "is_preload"));
    }

    private static void AssertRefused(Qube qube, string feature, string value)
    {
        string? before = qube.Features.Get(feature);
        Assert.Equal(QubesErrorNames.Value, Assert.Throws<QubesException>(() => qube.Features.Set(feature, value)).WireName);
        Assert.Equal(before, qube.Features.Get(feature));
    }
}
