using System.Text;
using System.Text.Json;
using CsCheck;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Extensions.OutOfProcess.Storage;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Storage;

namespace Qubes.Extensions.Tests.OutOfProcess;

/// <summary>What a storage driver says of itself, is asked and answers.</summary>
public sealed class StorageJsonTests
{
    [Fact]
    public void A_driver_has_its_own_parameters_and_those_of_all()
    {
        StorageDriverDefinition driver = StorageDriverDefinition.Parse(Of(
            """{"name": "thin-1", "description": "a\nb", "ephemeral": true, "parameters": [{"name": "group", "required": true}, {"name": "x_1"}], "later": 1}"""));
        Assert.Equal(("thin-1", "a b", true), (driver.Name, driver.Description, driver.CanEncrypt));
        PoolParameter[] expected = [new("group", IsMandatory: true), new("x_1"), new("revisions_to_keep"), new("ephemeral_volatile")];
        Assert.Equal(expected, driver.Parameters);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name": ""}""")]
    [InlineData("""{"name": "1a"}""")]
    [InlineData("""{"name": "a b"}""")]
    [InlineData("""{"name": "Thin"}""")]
    [InlineData("""{"name": "abcdefghijklmnopqrstuvwxyz0123456"}""")]
    [InlineData("""{"name": "a", "parameters": ["x"]}""")]
    [InlineData("""{"name": "a", "parameters": [{"name": "a-b"}]}""")]
    [InlineData("""{"name": "a", "parameters": [{"name": "x"}, {"name": "x"}]}""")]
    [InlineData("""{"name": "a", "parameters": [{"name": "driver"}]}""")]
    [InlineData("""{"name": "a", "parameters": [{"name": "revisions_to_keep"}]}""")]
    [InlineData("""{"name": "a", "parameters": [{"name": "x", "required": "yes"}]}""")]
    [InlineData("""{"name": "a", "ephemeral": 1}""")]
    public void A_driver_that_cannot_be_is_refused(string json) => Assert.Throws<RpcException>(() => StorageDriverDefinition.Parse(Of(json)));

    [Fact]
    public void Another_parameter_makes_another_driver()
    {
        StorageDriverDefinition one = StorageDriverDefinition.Parse(Of("""{"name": "a", "parameters": [{"name": "x"}]}"""));
        Assert.True(one.IsSameAs(StorageDriverDefinition.Parse(Of("""{"name": "a", "parameters": [{"name": "x"}]}"""))));
        Assert.False(one.IsSameAs(StorageDriverDefinition.Parse(Of("""{"name": "a", "parameters": [{"name": "x", "required": true}]}"""))));
        Assert.False(one.IsSameAs(StorageDriverDefinition.Parse(Of("""{"name": "a", "parameters": [{"name": "x"}], "ephemeral": true}"""))));
    }

    [Fact]
    public void A_request_tells_all_there_is_to_know()
    {
        StorageService storage = new(new StorageEnvironment { Paths = new QubesPaths("/nowhere") });
        Pool pool = storage.Add(new PoolConfig { Name = "p", Driver = "thin", Options = [new("group", "vg"), new("revisions_to_keep", "2")] });
        VolumeConfig config = new()
        {
            Name = "root", Pool = "p", Vid = "appvms/work/root", Rw = true, SnapOnStart = true, Source = "vm-templates/debian/root", Size = 5,
        };
        Assert.Equal("""{"name":"p","driver":"thin","options":{"group":"vg","revisions_to_keep":"2"}}""", Written(w => StorageJson.WritePool(w, pool), "pool"));
        Assert.Equal(
            """{"name":"root","vid":"appvms/work/root","kind":"snapshot","size":5,"rw":true,"revisions_to_keep":0,"ephemeral":false,"source":"vm-templates/debian/root"}""",
            Written(w => StorageJson.WriteVolume(w, "v", pool.Open(config)), "v"));
        Assert.Equal(
            """{"name":"private","vid":"appvms/work/private","kind":"origin","size":7,"rw":true,"revisions_to_keep":2,"ephemeral":false}""",
            Written(w => StorageJson.WriteVolume(w, "v", pool.Open(new VolumeConfig
            {
                Name = "private", Pool = "p", Vid = "appvms/work/private", Rw = true, SaveOnStop = true, Size = 7,
            })), "v"));
    }

    [Fact]
    public void Answers_are_read()
    {
        Assert.Equal(new PoolUsage(10, 3), StorageJson.Usage(Of("""{"size": 10, "used": 3}""")));
        Assert.Null(StorageJson.Usage(Of("null")));
        Assert.Equal(["appvms/a/root", "appvms/b/root"], StorageJson.Vids(Of("""{"started": ["appvms/b/root", "appvms/a/root", "appvms/b/root"]}"""), "started"));
        Assert.Equal(ResizeOutcome.HypervisorMustResize, StorageJson.Resize(Of("""{"online": true}""")));
        Assert.Equal(ResizeOutcome.Done, StorageJson.Resize(Of("null")));
        Assert.Equal(
            [new VolumeRevision("a", DateTimeOffset.FromUnixTimeSeconds(1)), new VolumeRevision("b:-_.1", DateTimeOffset.FromUnixTimeSeconds(2))],
            StorageJson.Revisions(Of("""{"revisions": [{"id": "b:-_.1", "time": 2}, {"id": "a", "time": 1}]}""")));
    }

    [Theory]
    [InlineData("""{"size": -1, "used": 3}""")]
    [InlineData("""{"size": 1}""")]
    [InlineData("""{"size": 1.5, "used": 3}""")]
    [InlineData("""{"size": 1152921504606846977, "used": 3}""")]
    [InlineData("[]")]
    public void A_usage_that_makes_no_sense_is_refused(string json) => Assert.Throws<RpcException>(() => StorageJson.Usage(Of(json)));

    [Theory]
    [InlineData("""{"revisions": [{"id": "", "time": 1}]}""")]
    [InlineData("""{"revisions": [{"id": "a\nb", "time": 1}]}""")]
    [InlineData("""{"revisions": [{"id": "a", "time": -1}]}""")]
    [InlineData("""{"revisions": [{"id": "a", "time": 253402300800}]}""")]
    [InlineData("""{"revisions": [{"id": "a", "time": 1}, {"id": "a", "time": 2}]}""")]
    [InlineData("""{"revisions": {"a": 1}}""")]
    public void Revisions_that_make_no_sense_are_refused(string json) => Assert.Throws<RpcException>(() => StorageJson.Revisions(Of(json)));

    [Theory]
    [InlineData("""{"v": ["appvms/a"]}""")]
    [InlineData("""{"v": ["appvms/a/root\nx"]}""")]
    [InlineData("""{"v": ["appvms/../root"]}""")]
    [InlineData("""{"v": [1]}""")]
    public void Ids_of_another_form_are_refused(string json) => Assert.Throws<RpcException>(() => StorageJson.Vids(Of(json), "v"));

    [Fact]
    public void Whatever_is_answered_is_read_or_refused()
    {
        string[] words = ["\"revisions\"", "\"id\"", "\"time\"", "\"size\"", "\"used\"", "\"path\"", "\"v\"", "{", "}", "[", "]", ":", ",", "1", "-1", "\"a\"", "null", "1e400"];
        Gen.Int[0, words.Length - 1].Select(i => words[i]).Array[0, 12].Select(parts => string.Concat(parts)).Sample(text =>
        {
            try
            {
                RpcParams answer = Of(text);
                foreach (Action read in (Action[])[
                    () => StorageJson.Usage(answer), () => StorageJson.Revisions(answer), () => StorageJson.Vids(answer, "v"), () => StorageJson.Path(answer),
                    () => StorageJson.Resize(answer), () => StorageDriverDefinition.Parse(answer)])
                {
                    try
                    {
                        read();
                    }
                    catch (RpcException)
                    {
                        // Refused.
                    }
                }
            }
            catch (JsonException)
            {
                // No answer at all.
            }
        });
    }

    private static RpcParams Of(string json) => new(JsonDocument.Parse(json).RootElement);

    private static string Written(Action<Utf8JsonWriter> write, string member)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return JsonDocument.Parse(Encoding.UTF8.GetString(buffer.ToArray())).RootElement.GetProperty(member).GetRawText();
    }
}
