using System.Net;
using Qubes.Protocol.Events;

namespace Qubes.Protocol.Tests.Events;

public sealed class EventValueTests
{
    [Fact]
    public void Values_print_as_python_prints_them()
    {
        Assert.Equal("None", EventValue.ToText(null));
        Assert.Equal("True", EventValue.ToText(true));
        Assert.Equal("", EventValue.ToText(""));
        Assert.Equal("-1", EventValue.ToText(-1));
        Assert.Equal("50.0", EventValue.ToText(50.0));
        Assert.Equal("33.3", EventValue.ToText(33.3));
        Assert.Equal("10.137.0.1", EventValue.ToText(IPAddress.Parse("10.137.0.1")));
        Assert.Equal("{'frontend-dev': 'xvdi'}", EventValue.ToText(new Dictionary<string, string> { ["frontend-dev"] = "xvdi" }));
        Assert.Equal("{}", EventValue.ToText(new Dictionary<string, string>()));
        Assert.Equal("['a', 1]", EventValue.ToText(new List<object> { "a", 1 }));
    }
}
