namespace Qubes.Admin.Tests.Calls;

public sealed class LabelCallTests
{
    [Fact]
    public async Task Admin_label_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0red\norange\nyellow\ngreen\ngray\nblue\npurple\nblack\n", await fixture.CallAsync("admin.label.List"));
    }

    [Theory]
    [InlineData("red", "0\00xcc0000")]
    [InlineData("1", "0\00xcc0000")]
    [InlineData("teal", "2\0QubesLabelNotFoundError\0\0Label does not exist: teal\0")]
    [InlineData("a/b", "2\0QubesInvalidLabelError\0\0Label must be in safe set: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.\0")]
    public async Task Admin_label_Get(string label, string reply)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal(reply, await fixture.CallAsync("admin.label.Get", label));
    }

    [Theory]
    [InlineData("red", "0\01")]
    [InlineData("black", "0\08")]
    [InlineData("teal", "2\0QubesLabelNotFoundError\0\0Label does not exist: teal\0")]
    public async Task Admin_label_Index(string label, string reply)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal(reply, await fixture.CallAsync("admin.label.Index", label));
    }

    [Theory]
    [InlineData("teal", "0x008080", "0\0")]
    [InlineData("teal", " 0x008080\n", "0\0")]
    [InlineData("red", "0x008080", "2\0QubesLabelInUseError\0\0Label already exists: red\0")]
    [InlineData("12", "0x008080", "2\0QubesInvalidLabelError\0\0Label must not be a digit\0")]
    [InlineData("teal", "008080", "2\0QubesInvalidLabelValueError\0\0Label value must have length of 8\0")]
    [InlineData("teal", "0X008080", "2\0QubesInvalidLabelValueError\0\0Label value must start with: 0x\0")]
    [InlineData("teal", "0x00808g",
        "2\0QubesInvalidLabelValueError\0\0Label value must only contain hexadecimal digits after prefix: 0123456789abcdefABCDEF\0")]
    [InlineData("teal", "\u00e4", "2\0QubesInvalidLabelValueError\0\0Label value must be encoded in ASCII\0")]
    public async Task Admin_label_Create(string label, string color, string reply)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal(reply, await fixture.CallAsync("admin.label.Create", label, payload: color));
        if (reply == "0\0")
        {
            Assert.Equal("0\00x008080", await fixture.CallAsync("admin.label.Get", "teal"));
            Assert.Equal("0\09", await fixture.CallAsync("admin.label.Index", "teal"));
        }
    }

    [Fact]
    public async Task Admin_label_Remove()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.label.Create", "teal", payload: "0x008080");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.Set", "label", "work", "teal"));
        Assert.Equal("2\0QubesLabelInUseError\0\0Label is still in use: teal\0", await fixture.CallAsync("admin.label.Remove", "teal"));
        await fixture.CallAsync("admin.vm.property.Set", "label", "work", "red");
        Assert.Equal("0\0", await fixture.CallAsync("admin.label.Remove", "teal"));
        Assert.Equal("2\0QubesLabelNotFoundError\0\0Label does not exist: teal\0", await fixture.CallAsync("admin.label.Remove", "teal"));
        Assert.Equal("2\0ProtocolError\0\0Can only remove custom labels\0", await fixture.CallAsync("admin.label.Remove", "red"));
    }
}
