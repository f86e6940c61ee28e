using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Tests.Errors;

public sealed class QubesErrorsTests
{
    [Fact]
    public void Derived_errors_are_known_as_their_bases()
    {
        QubesException error = QubesErrors.VMNotRunning("x");
        Assert.True(error.Is("QubesVMNotRunningError"));
        Assert.True(error.Is("QubesVMNotStartedError"));
        Assert.True(error.Is("QubesVMError"));
        Assert.True(error.Is("QubesException"));
        Assert.False(error.Is("QubesVMNotHaltedError"));
    }

    [Fact]
    public void Refusals_and_protocol_errors_are_no_qubes_exceptions_for_clients()
    {
        Assert.False(QubesErrors.PermissionDenied("x").Is("QubesException"));
        Assert.True(QubesErrors.InvalidTag("x").Is("ProtocolError"));
        Assert.False(QubesErrors.InvalidTag("x").Is("QubesException"));
    }

    [Fact]
    public void Texts_are_those_clients_know()
    {
        Assert.Equal("No such domain: 'x'", QubesErrors.VMNotFound("x").Message);
        Assert.Equal("Domain is powered off: 'x'", QubesErrors.VMNotStarted("x").Message);
        Assert.Equal("Invalid property 'p' of Qubes", QubesErrors.NoSuchProperty("Qubes", "p").Message);
        Assert.Equal("Feature not set for domain x: f", QubesErrors.FeatureNotFound("x", "f").Message);
        Assert.Equal("Argument not in 'pools'", QubesErrors.ArgumentNotIn("pools").Message);
        Assert.Equal("'device sda already attached'", QubesErrors.DeviceAlreadyAttached("device sda already attached").Message);
    }
}
