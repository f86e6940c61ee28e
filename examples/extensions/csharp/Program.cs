using Beacon;

new BeaconExtension(args is [var deviceClass, ..] ? deviceClass : "beacon").Run();
