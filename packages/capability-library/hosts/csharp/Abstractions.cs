// What a capability in C# is written against. This assembly is shared: it must not stand beside a capability's own
// file, or its types would not be the host's.
using System;
using System.Collections.Generic;

namespace Switchyard.Capabilities
{
    /// <summary>Another capability that this one requires, for the account of the lease.</summary>
    public interface IDependency
    {
        /// <summary>Waits for the answer. Throws <see cref="CapabilityException"/> with the other side's message.</summary>
        object Invoke(string method, object[] parameters);
    }

    /// <summary>Who calls, and on which terms; the first parameter of every method.</summary>
    public interface ICall
    {
        string Account { get; }
        string LeaseId { get; }
        /// <summary>The W3C trace context to continue, or an empty text.</summary>
        string Traceparent { get; }
        /// <summary>True when the call ran out of time or its lease ended.</summary>
        bool Cancelled { get; }
        /// <summary>Waits until the call is cancelled or the time is over; true when it is cancelled.</summary>
        bool WaitForCancellation(int milliseconds);
        IDependency Dependency(string name);
    }

    /// <summary>What a capability is told when it is made.</summary>
    [Serializable]
    public sealed class CapabilitySettings
    {
        public string Name { get; set; }
        public string Version { get; set; }
        public string Shard { get; set; }
        public Dictionary<string, object> Config { get; set; }
        /// <summary>A SQLite file of this shard's own, or null where it has none.</summary>
        public string StatePath { get; set; }
    }

    /// <summary>A method. Values are null, bool, long, double, BigInteger, string, byte[], DateTime, List and Dictionary.</summary>
    public delegate object CapabilityMethod(ICall call, object[] parameters);

    /// <summary>
    /// What a capability's assembly holds one public class of, with a constructor that takes the settings.
    /// </summary>
    public interface ICapability : IDisposable
    {
        IDictionary<string, CapabilityMethod> Methods { get; }
        /// <summary>A lease is over: forget what belongs to it.</summary>
        void LeaseEnded(string leaseId, string account);
    }

    /// <summary>A failure with a code, as callers see it.</summary>
    [Serializable]
    public class CapabilityException : Exception
    {
        public CapabilityException(string code, string message, bool retryable = false) : base(message)
        {
            Code = code;
            Retryable = retryable;
        }

        protected CapabilityException(System.Runtime.Serialization.SerializationInfo info, System.Runtime.Serialization.StreamingContext context)
            : base(info.GetString("Message"))
        {
            Code = info.GetString("Code");
            Retryable = info.GetBoolean("Retryable");
        }

        public string Code { get; private set; }
        public bool Retryable { get; private set; }

        public override void GetObjectData(System.Runtime.Serialization.SerializationInfo info, System.Runtime.Serialization.StreamingContext context)
        {
            info.AddValue("Message", Message);
            info.AddValue("Code", Code);
            info.AddValue("Retryable", Retryable);
        }
    }
}
